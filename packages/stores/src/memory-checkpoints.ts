import type { CheckpointStore } from "@orgloop/sdk";

/** Checkpoints that end with the process. */
export function memoryCheckpoints(): CheckpointStore {
  const checkpoints = new Map<string, string>();
  return {
    get: async (sourceId) => checkpoints.get(sourceId) ?? null,
    async set(sourceId, checkpoint) {
      checkpoints.set(sourceId, checkpoint);
    },
    async delete(sourceId) {
      checkpoints.delete(sourceId);
    },
  };
}
