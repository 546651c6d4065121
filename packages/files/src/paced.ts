/** Between two writes of what nobody waits for. */
const PACE_MS = 10;

/**
 * Makes a function that has `write` called soon: at once where the last call was a while ago, else
 * {@link PACE_MS} after it, so that what comes thick and fast is written together.
 */
export function paced(write: () => void): () => void {
  let scheduled = false;
  let calledAt = Number.NEGATIVE_INFINITY;
  function call(): void {
    scheduled = false;
    calledAt = performance.now();
    write();
  }
  return () => {
    if (scheduled) return;
    scheduled = true;
    const waitMs = calledAt + PACE_MS - performance.now();
    if (waitMs <= 0) setImmediate(call);
    else setTimeout(call, waitMs);
  };
}
