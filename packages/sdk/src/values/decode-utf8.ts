const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The bytes as text, without a byte order mark. Throws a `SyntaxError` where they are not UTF-8:
 * the usual decoding would put other characters in their place, unseen.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new SyntaxError("it is not UTF-8 text", { cause });
  }
}
