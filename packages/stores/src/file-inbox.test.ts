import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InboxStore } from "@orgloop/sdk";
import { inboxSuite, sampleInboxEntry } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { inDirectories } from "./directories-fixture.ts";
import { fileInbox } from "./file-inbox.ts";

const harness = inDirectories<InboxStore>("fileInbox", (dir) => fileInbox({ dir }));
const { fresh } = harness;

inboxSuite(harness);

describe("the file", () => {
  test("lines without checksums, as the release before wrote them, are taken over; foreign ones are named and kept", async () => {
    const dir = await fresh();
    const file = join(dir, "inbox.jsonl");
    const lines = [1, 2].map((n) => JSON.stringify(sampleInboxEntry(n)));
    const removal = '{"session":"agent","removed":["in_2"]}';
    await writeFile(file, `${lines.join("\n")}\n{"what":1}\nnull\n${removal}\n{"id":"in_2","sess`);
    const warnings: string[] = [];
    const again = await fileInbox({ dir, warn: (message) => warnings.push(message) });
    expect((await again.list("agent", 9)).map(({ id }) => id)).toEqual(["in_1"]);
    expect(warnings).toHaveLength(2);
    await again.put(sampleInboxEntry(3));
    await again.close();
    const third = await fileInbox({ dir });
    expect((await third.list("agent", 9)).map(({ id }) => id)).toEqual(["in_1", "in_3"]);
    await third.close();
  });

  test("stays small however much has gone through it", async () => {
    const dir = await fresh();
    const store = await fileInbox({ dir });
    await store.put(sampleInboxEntry(0));
    await store.setNotified("agent", true);
    for (let n = 1; n < 100; n += 1) {
      await store.put(sampleInboxEntry(n, "other", "x".repeat(10_000)));
      await store.remove("other", [`in_${n}`]);
    }
    await store.close();
    expect((await stat(join(dir, "inbox.jsonl"))).size).toBeLessThan(100_000);
    const again = await fileInbox({ dir });
    expect(await again.sessions()).toEqual([{ session_key: "agent", pending: 1, notified: true }]);
    expect(await again.list("agent", 9)).toEqual([sampleInboxEntry(0)]);
    await again.close();
  });

  test("a list of very large events is cut, but never empty", async () => {
    const store = await fileInbox({ dir: await fresh() });
    const text = "x".repeat(9 * 1024 ** 2);
    for (const n of [1, 2, 3]) await store.put(sampleInboxEntry(n, "agent", text));
    expect((await store.list("agent", 9)).map(({ id }) => id)).toEqual(["in_1"]);
    await store.close();
  });
});
