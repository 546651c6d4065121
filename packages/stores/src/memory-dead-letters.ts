import { type DeadLetter, type DeadLetterStore, summaryOf } from "@orgloop/sdk";

/** Dead letters that end with the process. */
export function memoryDeadLetters(): DeadLetterStore {
  const letters = new Map<string, { readonly letter: DeadLetter; readonly position: number }>();
  let last = 0;
  return {
    async put(letter) {
      const position = letters.get(letter.id)?.position ?? ++last;
      letters.set(letter.id, { letter, position });
    },
    async *list(after = 0) {
      for (const { letter, position } of letters.values()) {
        if (position > after) yield { ...summaryOf(letter), position };
      }
    },
    get: async (id) => letters.get(id)?.letter ?? null,
    get size() {
      return letters.size;
    },
    async remove(ids) {
      for (const id of ids) letters.delete(id);
    },
  };
}
