import { checkpointSuite, claimSuite, deadLetterSuite } from "@orgloop/testkit";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { memoryClaims } from "./memory-claims.ts";
import { memoryDeadLetters } from "./memory-dead-letters.ts";

checkpointSuite({ name: "memoryCheckpoints", open: async () => memoryCheckpoints() });
deadLetterSuite({ name: "memoryDeadLetters", open: async () => memoryDeadLetters() });
claimSuite({ name: "memoryClaims", open: async () => memoryClaims() });
