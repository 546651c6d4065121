import type { GithubDraft } from "./event-draft.ts";
import type { ListPage } from "./github-client.ts";
import type { Item } from "./github-objects.ts";
import type { Stream, StreamContext } from "./stream.ts";
import { advance, endCycle, readFrom, type StreamState } from "./stream-state.ts";

export interface Reading {
  readonly context: StreamContext;
  /** Items a request, at most 100. */
  readonly perPage: number;
  /** True when the poll is to end: after the deadline, or aborted. */
  readonly stopped: () => boolean;
}

/** Items between two checkpoints: each may cost requests of its own. */
const BATCH = 20;

/**
 * Reads a list from where `state` stands, oldest first, and changes `state`: at each yield it is
 * the checkpoint of what was yielded so far. Ends early when `stopped`, and at once where the list
 * has not changed since the last cycle.
 */
export async function* readStream(
  stream: Stream,
  state: StreamState,
  reading: Reading,
): AsyncGenerator<GithubDraft[]> {
  yield* stream.order === "ascending"
    ? readAscending(stream, state, reading)
    : readRecent(stream, state, reading);
}

/**
 * Asks for the first page from the last item on, again and again: with page numbers an item that is
 * updated meanwhile would move to the end and push another over the edge of a page, unseen. Only
 * where a whole page lies within the overlap does it follow the link to the next.
 */
async function* readAscending(stream: Stream, state: StreamState, reading: Reading) {
  let next: string | undefined;
  while (!reading.stopped()) {
    const from = readFrom(state);
    const page = next
      ? await reading.context.client.page(`GET ${next}`, {}, stream.shape)
      : await firstPage(stream, from, state.etag, reading);
    if (page === undefined) return;
    const complete = yield* emit(stream, page.items, from, state, reading);
    if (!complete) return;
    if (readFrom(state) > from) {
      next = undefined;
    } else if (page.next !== undefined) {
      next = page.next;
    } else {
      // Of several pages, or a full one, the first may stay the same while the list grows.
      const single = next === undefined && page.items.length < reading.perPage;
      endCycle(state, single ? page.etag : undefined);
      yield [];
      return;
    }
  }
}

async function* readRecent(stream: Stream, state: StreamState, reading: Reading) {
  if (reading.stopped()) return;
  const from = readFrom(state);
  const first = await firstPage(stream, from, state.etag, reading);
  if (first === undefined) return;
  const items = [...first.items];
  for (let { next } = first; next !== undefined; ) {
    if (reading.stopped()) return;
    const page: ListPage<Item> | undefined = await reading.context.client.page(
      `GET ${next}`,
      {},
      stream.shape,
    );
    items.push(...(page?.items ?? []));
    next = page?.next;
  }
  items.sort((a, b) => Date.parse(a.updated_at) - Date.parse(b.updated_at));
  const complete = yield* emit(stream, items, from, state, reading);
  if (!complete) return;
  // The tag is the list's as it was asked for from there; another `created` is another list.
  const same = JSON.stringify(stream.query(from)) === JSON.stringify(stream.query(readFrom(state)));
  endCycle(state, same && first.next === undefined ? first.etag : undefined);
  yield [];
}

function firstPage(
  stream: Stream,
  from: string,
  etag: string | undefined,
  { context, perPage }: Reading,
): Promise<ListPage<Item> | undefined> {
  const parameters = { ...context.parameters, ...stream.query(from), per_page: perPage };
  return context.client.page(stream.route, parameters, stream.shape, etag);
}

/** Works off items in order. Returns false where it was stopped before the last. */
async function* emit(
  stream: Stream,
  items: readonly Item[],
  from: string,
  state: StreamState,
  { context, stopped }: Reading,
): AsyncGenerator<GithubDraft[], boolean> {
  const fromMs = Date.parse(from);
  let drafts: GithubDraft[] = [];
  let worked = 0;
  for (const item of items) {
    const version = `${item.id}@${item.updated_at}`;
    if (Date.parse(item.updated_at) < fromMs || version in state.seen) continue;
    if (stopped() || worked === BATCH) {
      if (worked > 0) yield drafts;
      if (stopped()) return false;
      drafts = [];
      worked = 0;
    }
    const fresh = (await stream.drafts(item, context))
      .filter(({ identity, timestamp }) => context.since(timestamp) && !(identity in state.seen))
      .sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
    drafts.push(...fresh);
    worked += 1;
    advance(state, item.updated_at, [version, ...fresh.map(({ identity }) => identity)]);
  }
  if (worked > 0) yield drafts;
  return true;
}
