import { createHmac } from "node:crypto";
import { lookup } from "node:dns";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { EventDraft, PluginContext } from "@orgloop/sdk";
import { expect, onTestFinished, test } from "vitest";
import connector from "./index.ts";

const NOW = Date.parse("2026-11-01T12:00:00Z");
const PER_PAGE = 3;

interface Sent {
  readonly guid: string;
  readonly minute: number;
  readonly status: number;
}

/** GitHub's API of one hook, which keeps what `sent` lists, newest last; the API has it first. */
async function hook(sent: Sent[], { limited = false } = {}) {
  const asked: string[] = [];
  const state = { limited };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    asked.push(`${request.headers.authorization} ${url.pathname}${url.search}`);
    const json = (status: number, body: unknown, headers = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    if (state.limited) return json(429, { message: "slow down" }, { "retry-after": "120" });
    const all = sent.map((one, at) => ({ ...one, id: 9_007_199_254_000_000 + at })).toReversed();
    const [, detail] = /\/deliveries\/(\d+)$/.exec(url.pathname) ?? [];
    if (detail !== undefined) {
      const one = all.find(({ id }) => String(id) === detail);
      if (one === undefined) return json(404, { message: "Not Found" });
      return json(200, { id: one.id, request: requestOf(one) });
    }
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const next = `http://127.0.0.1:${port}${url.pathname}?cursor=${from + PER_PAGE}`;
    const link = from + PER_PAGE < all.length ? { link: `<${next}>; rel="next"` } : {};
    const items = all.slice(from, from + PER_PAGE).map(({ id, guid, minute, status }) => ({
      ...{ id, guid, status_code: status, status: status === 200 ? "OK" : "failed to connect" },
      delivered_at: new Date(NOW + minute * 60_000).toISOString(),
    }));
    return json(200, items, link);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${port}`, asked, state };
}

const payloadOf = (guid: string) => ({
  action: "opened",
  number: 7,
  big: "12345678901234567890",
  title: `of ${guid}`,
  repository: { full_name: "acme/api" },
  sender: { login: "ada" },
});

const requestOf = ({ guid }: Pick<Sent, "guid">) => ({
  headers: {
    "X-GitHub-Delivery": guid,
    "X-GitHub-Event": "issues",
    "Content-Type": "application/json",
  },
  payload: payloadOf(guid),
});

async function source(url: string, more: object = {}) {
  let nowMs = NOW;
  const context = { id: "hook", now: () => nowMs, fetch, lookup, warn: () => {}, mask: String };
  const github_hook = { repo: "acme/api", hook_id: 42, token: "t", base_url: url, ...more };
  const config = connector.source?.config["~standard"].validate({ secret: "s", github_hook });
  const { value, issues } = (await config) as { value: never; issues?: unknown };
  expect(issues).toBeUndefined();
  const made = await connector.source?.create(value, context as unknown as PluginContext);
  let checkpoint: string | null = null;
  return {
    made,
    pass: (minutes: number) => {
      nowMs += minutes * 60_000;
    },
    resume: (text: string | null) => {
      checkpoint = text;
    },
    async poll(deadlineMs = Number.POSITIVE_INFINITY) {
      const events: EventDraft[] = [];
      const options = { signal: new AbortController().signal, deadlineMs };
      for await (const page of made?.poll?.(checkpoint, options) ?? []) {
        events.push(...page.events);
        checkpoint = page.checkpoint;
      }
      return events;
    },
  };
}

const guids = (events: readonly EventDraft[]) =>
  events.map(({ identity }) => identity?.replace("x-github-delivery/", ""));

test("what GitHub could not deliver comes as it would have come, once and no more", async () => {
  const sent: Sent[] = [
    { guid: "old", minute: -25 * 60, status: 502 },
    { guid: "a", minute: -50, status: 502 },
    { guid: "well", minute: -40, status: 200 },
    { guid: "b", minute: -30, status: 429 },
    { guid: "late", minute: -20, status: 504 },
    { guid: "late", minute: -10, status: 200 },
  ];
  const github = await hook(sent);
  const it = await source(github.url);
  const events = await it.poll();
  expect(guids(events).toSorted()).toEqual(["a", "b"]);
  const body = Buffer.from(JSON.stringify(payloadOf("a")));
  const signature = createHmac("sha256", "s").update(body).digest("hex");
  const headers = {
    ...lowered(requestOf({ guid: "a" }).headers),
    "x-hub-signature-256": `sha256=${signature}`,
  };
  const received = await it.made?.receive?.({ method: "POST", headers, query: {}, body });
  expect(events.find(({ identity }) => identity?.endsWith("/a"))).toEqual(received?.[0]);
  expect(github.asked[0]).toBe("token t /repos/acme/api/hooks/42/deliveries?per_page=100");

  it.pass(5);
  expect(await it.poll()).toEqual([]);
  sent.push({ guid: "c", minute: 4, status: 500 });
  expect(guids(await it.poll())).toEqual(["c"]);
});

const lowered = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

test("a long list is read over several polls, and what comes meanwhile is not passed over", async () => {
  const sent = Array.from({ length: 20 }, (_, at) => ({
    guid: `g${at}`,
    minute: at - 60,
    status: 502,
  }));
  const github = await hook(sent);
  const it = await source(github.url);
  const found: unknown[] = [];
  for (let poll = 0; poll < 12; poll += 1) {
    // Its deadline has passed: a page a poll.
    found.push(...guids(await it.poll(0)));
    if (poll === 1) sent.push({ guid: "new", minute: -1, status: 502 });
  }
  expect(new Set(found)).toEqual(new Set([...sent.map(({ guid }) => guid)]));
});

test("a limit is waited for, and nothing is passed over", async () => {
  const github = await hook([{ guid: "a", minute: -5, status: 502 }], { limited: true });
  const it = await source(github.url);
  await expect(it.poll()).rejects.toMatchObject({ code: "RETRY_AFTER", retryAfterMs: 120_000 });
  github.state.limited = false;
  expect(guids(await it.poll())).toEqual(["a"]);
});

test("an organisation's hook; a time as checkpoint; nonsense as one", async () => {
  const github = await hook([{ guid: "a", minute: -5, status: 502 }]);
  const it = await source(github.url, { repo: undefined, org: "acme" });
  it.resume(new Date(NOW).toISOString());
  expect(await it.poll()).toEqual([]);
  it.resume(new Date(NOW - 3_600_000).toISOString());
  expect(guids(await it.poll())).toEqual(["a"]);
  expect(github.asked[0]).toContain(" /orgs/acme/hooks/42/deliveries");
  it.resume("nonsense");
  await expect(it.poll()).rejects.toMatchObject({ code: "INVALID_CHECKPOINT" });
});

test("it is polled where there is a hook to ask for, and else only received", () => {
  const intake = connector.source?.intake as (config: unknown) => readonly string[];
  expect(intake({})).toEqual(["receive"]);
  expect(intake({ github_hook: { repo: "a/b" } })).toEqual(["receive", "poll"]);
  expect(intake(undefined)).toEqual(["receive"]);
});
