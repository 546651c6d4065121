import type { DeadLetter, DeadLetterStore } from "@orgloop/sdk";

/** Dead letters that end with the process. */
export function memoryDeadLetters(): DeadLetterStore {
  const letters = new Map<string, DeadLetter>();
  return {
    async put(letter) {
      letters.set(letter.id, letter);
    },
    list: async () => [...letters.values()],
    get: async (id) => letters.get(id) ?? null,
    get size() {
      return letters.size;
    },
    async remove(ids) {
      for (const id of ids) letters.delete(id);
    },
  };
}
