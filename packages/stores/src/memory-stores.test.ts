import { checkpointSuite, claimSuite, deadLetterSuite, inboxSuite } from "@orgloop/testkit";
import {
  memoryCheckpoints,
  memoryClaims,
  memoryDeadLetters,
  memoryInbox,
} from "./memory-stores.ts";

checkpointSuite({ name: "memoryCheckpoints", open: async () => memoryCheckpoints() });
deadLetterSuite({ name: "memoryDeadLetters", open: async () => memoryDeadLetters() });
claimSuite({ name: "memoryClaims", open: async () => memoryClaims() });
inboxSuite({ name: "memoryInbox", open: async () => memoryInbox() });
