import { EVENT_ID, getScalarValue, type parseEvents } from "js-yaml";

/** A collection that is being read. */
interface Frame {
  /** Values gone through so far. */
  size: number;
  readonly anchor: string | undefined;
  /** Null in a list; else the key whose value comes next, undefined where a key does. */
  key: string | null | undefined;
  /** Its items are merged in: it is the list behind `<<`. */
  readonly merged: boolean;
}

/**
 * Where the merge keys of a document make a reader go through more than `most` values: what is
 * merged in is gone through anew each time, so that it may double with every line. Null where they
 * do not. In time linear in the text.
 */
export function costlyMerge(
  text: string,
  events: ReturnType<typeof parseEvents>,
  most: number,
): number | null {
  const sizes = new Map<string, number>();
  const open: Frame[] = [{ size: 0, anchor: undefined, key: null, merged: false }];
  const top = (): Frame => open.at(-1) as Frame;
  /** Whether the value that comes next is merged in. */
  const isMerged = ({ key, merged }: Frame) => merged || key === "<<";
  const add = (size: number, text = ""): void => {
    const frame = top();
    frame.size += size;
    if (frame.key !== null) frame.key = frame.key === undefined ? text : undefined;
  };
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      const { size, anchor } = open.pop() as Frame;
      if (open.length === 0) break;
      if (anchor !== undefined) sizes.set(anchor, size);
      add(size);
    } else if (event.type === EVENT_ID.ALIAS) {
      const size = sizes.get(text.slice(event.anchorStart, event.anchorEnd)) ?? 1;
      add(isMerged(top()) ? size : 1);
      if (top().size > most) return event.anchorStart - 1;
    } else if (event.type === EVENT_ID.SCALAR) add(1, getScalarValue(text, event));
    else if (event.type !== EVENT_ID.DOCUMENT) {
      const { anchorStart, anchorEnd, type } = event;
      const anchor = anchorStart === -1 ? undefined : text.slice(anchorStart, anchorEnd);
      const isList = type !== EVENT_ID.MAPPING;
      open.push({
        size: 1,
        anchor,
        key: isList ? null : undefined,
        merged: isList && isMerged(top()),
      });
    } else open.push({ size: 0, anchor: undefined, key: null, merged: false });
  }
  return null;
}
