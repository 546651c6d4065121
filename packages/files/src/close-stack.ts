type Close = () => Promise<void> | void;

/**
 * What was opened, closed in reverse: ECMAScript's `AsyncDisposableStack`, which the oldest Node
 * that `engines` allows does not have.
 *
 * @example await using opened = new CloseStack(); const lock = await lockDirectory(dir);
 * opened.defer(() => lock.release()); // Until here a failure closes it; from here on whoever gets
 * `kept` does. const kept = opened.move();
 */
export class CloseStack implements AsyncDisposable {
  #closes: Close[] = [];

  /** Closes it before what is there already. */
  defer(close: Close): void {
    this.#closes.push(close);
  }

  /** Gives all of it to another stack; this one is empty then. */
  move(): CloseStack {
    const moved = new CloseStack();
    moved.#closes = this.#closes.splice(0);
    return moved;
  }

  /**
   * Closes everything, once, also where a part fails. Rejects with what that part threw, or with an
   * `AggregateError` of several.
   */
  async disposeAsync(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of this.#closes.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, "several parts were not closed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disposeAsync();
  }
}
