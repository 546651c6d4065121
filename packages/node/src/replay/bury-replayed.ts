import { type LetterHistory, letterOfReplay } from "@orgloop/engine";
import type { Bury } from "../delivery/burial.ts";

/**
 * Dead letters that are being replayed, by id: null until the letter is read, when its turn comes.
 */
export type ReplayedLetters = Map<string, LetterHistory | null>;

/** Buries; the letter of a replay keeps what is known of the attempts before. */
export function buryReplayed(replayed: ReplayedLetters, bury: Bury): Bury {
  return (letter) => {
    const earlier = replayed.get(letter.id) ?? null;
    return bury(earlier === null ? letter : letterOfReplay(letter, earlier));
  };
}
