import { type LetterHistory, letterOfReplay } from "@orgloop/engine";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";

/**
 * Dead letters that are being replayed, by id: null until the letter is read, when its turn comes.
 */
export type ReplayedLetters = Map<string, LetterHistory | null>;

/** Buries; the letter of a replay keeps what is known of the attempts before. */
export function writeReplayedLetter(
  replayed: ReplayedLetters,
  writeDeadLetter: WriteDeadLetter,
): WriteDeadLetter {
  return (letter) => {
    const earlier = replayed.get(letter.id) ?? null;
    return writeDeadLetter(earlier === null ? letter : letterOfReplay(letter, earlier));
  };
}
