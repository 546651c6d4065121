/** What is sent at once. */
const CHUNK_LENGTH = 64 * 1024;

/** A JSON array as a body, made while it is read: memory holds a part of it. */
export function jsonStream(items: AsyncIterable<unknown>): ReadableStream<Uint8Array> {
  const texts = chunks(items);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await texts.return();
    },
  });
}

async function* chunks(items: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  let text = "[";
  let first = true;
  for await (const item of items) {
    text += `${first ? "" : ","}${JSON.stringify(item)}`;
    first = false;
    if (text.length < CHUNK_LENGTH) continue;
    yield text;
    text = "";
  }
  yield `${text}]`;
}
