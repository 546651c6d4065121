import { checkpointSuite, claimSuite, deadLetterSuite, inboxSuite } from "@orgloop/testkit";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { memoryClaims } from "./memory-claims.ts";
import { memoryDeadLetters } from "./memory-dead-letters.ts";
import { memoryInbox } from "./memory-inbox.ts";

checkpointSuite({ name: "memoryCheckpoints", open: async () => memoryCheckpoints() });
deadLetterSuite({ name: "memoryDeadLetters", open: async () => memoryDeadLetters() });
claimSuite({ name: "memoryClaims", open: async () => memoryClaims() });
inboxSuite({ name: "memoryInbox", open: async () => memoryInbox() });
