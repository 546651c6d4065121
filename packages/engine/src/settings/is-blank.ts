/**
 * Whether nothing of a text is seen: spaces of any kind, and characters that only steer how others
 * are shown.
 */
export const isBlank = (text: string): boolean =>
  /^[\s\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0]*$/u.test(text);
