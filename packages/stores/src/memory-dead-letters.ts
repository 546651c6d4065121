import type { DeadLetter, DeadLetterStore } from "@orgloop/sdk";

/** Dead letters that end with the process. */
export function memoryDeadLetters(): DeadLetterStore {
  const letters = new Map<string, DeadLetter>();
  return {
    async put(letter) {
      if (!letters.has(letter.id)) letters.set(letter.id, letter);
    },
    list: async () => [...letters.values()],
    async remove(ids) {
      for (const id of ids) letters.delete(id);
    },
  };
}
