/** How long what is being closed may take. */
const LONGEST_MS = 5_000;

/**
 * Resolves when `task` has ended, however it does, and after `withinMs` (5 s) where it does not:
 * nothing that is closed keeps the process.
 */
export async function endOf(
  task: () => Promise<unknown> | undefined,
  withinMs = LONGEST_MS,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  try {
    await Promise.race([task(), promise]);
  } catch {
    // Nothing can be done about it, and nothing waits for it.
  } finally {
    clearTimeout(timer);
  }
}
