import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { type FileBus, type FileBusOptions, openFileBus } from "@orgloop/bus/file";
import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { describeMachine } from "./machine.ts";

const REPETITIONS = 5;
/** Events of each of these sizes in turn, in bytes of JSON. */
const SIZES = [300, 600, 1_000, 2_000];

const say = (line = "") => process.stdout.write(`${line}\n`);
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const verdict = (ratio: number, met: boolean) => `${ratio.toFixed(2)} (${met ? "met" : "MISSED"})`;

/** The benchmark's files lie where a workspace's would: on a disk, not on a tmpfs. */
const root = resolve(process.env.ORGLOOP_BENCH_DIR ?? ".orgloop/bench");
await mkdir(root, { recursive: true });

async function inDirectory<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(root, "wal-"));
  try {
    return await run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const base = JSON.stringify(event(0, 0)).length;

function event(number: number, size: number): OrgLoopEvent {
  const id = String(number).padStart(10, "0");
  const text = "A pull request was opened, and here is what it says. ".repeat(40);
  return {
    id: `evt_${id}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    source: `source-${number % 20}`,
    type: "resource.changed",
    provenance: { platform: "github", platform_event: "pull_request.opened", author: "somebody" },
    payload: { action: "opened", number, repository: "acme/api", body: text.slice(0, size) },
    trace_id: `trc_${id}`,
  };
}

/** An event of about `size` bytes of JSON. */
const sized = (number: number, size: number) => event(number, Math.max(0, size - base));

/** The real file system, noting the size of each write that a sync made durable. */
function recording(batches: number[]): FileSystem {
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      let written = 0;
      return {
        ...file,
        async write(bytes, position) {
          const count = await file.write(bytes, position);
          written += count;
          return count;
        },
        async sync() {
          await file.sync();
          if (written > 0) batches.push(written);
          written = 0;
        },
      };
    },
  };
}

/** `writers` that each publish again as soon as their publish is durable; ms for all. */
async function publishing(bus: FileBus, events: readonly OrgLoopEvent[], writers: number) {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let each = events[next++]; each !== undefined; each = events[next++]) {
        await bus.publish(each);
      }
    }),
  );
  return performance.now() - started;
}

/** The same batches through bare write and fdatasync; ms. */
async function bare(file: FileHandle, batches: readonly number[], bytes: Buffer): Promise<number> {
  const started = performance.now();
  let position = 0;
  for (const size of batches) {
    await file.write(bytes, 0, size, position);
    await file.datasync();
    position += size;
  }
  return performance.now() - started;
}

async function benchPublish(): Promise<void> {
  say(`\nDurable publishes, events of ${SIZES.join(", ")} bytes in turn`);
  say(
    "limit: the same bytes in the same batches through bare write + fdatasync, right after each run; it neither makes nor serialises events",
  );
  say(
    "writers   publishes/s   limit/s   events a batch   ratio to the limit (median of the runs'), target 0.70 from 64 on",
  );
  const bytes = Buffer.alloc(64 * 1024 * 1024, "{}");
  for (const writers of [1, 64, 512, 2_048]) {
    const count = writers === 1 ? 2_000 : writers === 64 ? 40_000 : 120_000;
    const rates: number[] = [];
    const limits: number[] = [];
    const ratios: number[] = [];
    let batchCount = 0;
    for (let repetition = 0; repetition <= REPETITIONS; repetition += 1) {
      await inDirectory(async (dir) => {
        const batches: number[] = [];
        const bus = await openFileBus({
          dir,
          fileSystem: recording(batches),
          rotate: { maxBytes: 1e12 },
        });
        const events = Array.from({ length: count }, (_, n) => sized(n, SIZES[n % 4] as number));
        batches.length = 0;
        const ms = await publishing(bus, events, writers);
        const own = batches.slice();
        await bus.close();
        const file = await open(join(dir, "bare"), "w");
        const limitMs = await bare(file, own, bytes);
        await file.close();
        // The first run warms up the compiler.
        if (repetition === 0) return;
        rates.push((count / ms) * 1_000);
        limits.push((count / limitMs) * 1_000);
        ratios.push(limitMs / ms);
        batchCount = own.length;
      });
    }
    const ratio = median(ratios);
    const shown = writers < 64 ? ratio.toFixed(2) : verdict(ratio, ratio >= 0.7);
    say(
      `${String(writers).padStart(7)}${median(rates).toFixed(0).padStart(14)}${median(limits).toFixed(0).padStart(10)}${(count / batchCount).toFixed(0).padStart(17)}   ${shown}`,
    );
  }
}

/** Publishes and acks; of `settled` + `unsettled` events the unsettled ones are spread evenly. */
async function fill(options: FileBusOptions, settled: number, unsettled: number): Promise<void> {
  const bus = await openFileBus(options);
  const total = settled + unsettled;
  const every = total / unsettled;
  const group = 2_000;
  for (let first = 0; first < total; first += group) {
    const count = Math.min(group, total - first);
    const events = Array.from({ length: count }, (_, n) => sized(first + n, 1_000));
    await bus.publishAll(events);
    await Promise.all(
      events.map((each, n) => {
        const wanted = Math.floor((first + n + 1) / every) > Math.floor((first + n) / every);
        return wanted ? undefined : bus.ack(each.id);
      }),
    );
  }
  await bus.close();
}

/**
 * Reads the segments of `dir`, one after another, in chunks of 1 MiB into the same buffer; ms, and
 * the bytes.
 */
async function readAll(dir: string): Promise<{ ms: number; bytes: number; files: number }> {
  const started = performance.now();
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  let bytes = 0;
  const names = (await readdir(dir)).filter((name) => name.endsWith(".jsonl"));
  for (const name of names) {
    const file = await open(join(dir, name));
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    await file.close();
  }
  return { ms: performance.now() - started, bytes, files: names.length };
}

async function opening(options: FileBusOptions, unsettled: number): Promise<number> {
  const started = performance.now();
  const bus = await openFileBus(options);
  const ms = performance.now() - started;
  if (bus.stats().unsettled !== unsettled) throw new Error(`${bus.stats().unsettled} unsettled`);
  await bus.close();
  return ms;
}

async function benchOpen(): Promise<void> {
  const settled = 1_000_000;
  const unsettled = 1_000;
  say(`\nOpening a log of ${settled} settled and ${unsettled} unsettled events of about 1 KB`);
  say(
    "reading: every segment from start to end, in chunks of 1 MiB into one buffer, in the same minute, the files in the page cache for both",
  );
  await inDirectory(async (dir) => {
    const all: FileBusOptions = { dir: join(dir, "all"), compactBelow: 0 };
    const compacted: FileBusOptions = { dir: join(dir, "compacted") };
    const alone: FileBusOptions = { dir: join(dir, "alone") };
    await fill(all, settled, unsettled);
    await fill(compacted, settled, unsettled);
    await fill(alone, 0, unsettled);
    const reads = { all: [] as number[], compacted: [] as number[] };
    const opens = { all: [] as number[], compacted: [] as number[], alone: [] as number[] };
    let sizes = "";
    for (let repetition = 0; repetition <= REPETITIONS; repetition += 1) {
      const readOfAll = await readAll(all.dir);
      const openOfAll = await opening(all, unsettled);
      const readOfCompacted = await readAll(compacted.dir);
      const openOfCompacted = await opening(compacted, unsettled);
      const openOfAlone = await opening(alone, unsettled);
      sizes = `${mb(readOfAll.bytes)} in ${readOfAll.files} segments, compacted ${mb(readOfCompacted.bytes)} in ${readOfCompacted.files}`;
      if (repetition === 0) continue;
      reads.all.push(readOfAll.ms);
      opens.all.push(openOfAll);
      reads.compacted.push(readOfCompacted.ms);
      opens.compacted.push(openOfCompacted);
      opens.alone.push(openOfAlone);
    }
    say(`retained: ${sizes}`);
    const toRead = median(opens.all.map((ms, index) => ms / (reads.all[index] as number)));
    const toAlone = median(opens.compacted.map((ms, index) => ms / (opens.alone[index] as number)));
    say(
      `all retained: open ${median(opens.all).toFixed(0)} ms, read ${median(reads.all).toFixed(0)} ms, ratio ${verdict(toRead, toRead <= 2)}, target 2.00`,
    );
    say(
      `compacted: open ${median(opens.compacted).toFixed(1)} ms (read ${median(reads.compacted).toFixed(1)} ms), the ${unsettled} alone ${median(opens.alone).toFixed(1)} ms, ratio ${verdict(toAlone, toAlone <= 3)}, target 3.00`,
    );
  });
}

const mb = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;

async function benchMemory(): Promise<void> {
  say("\nResident memory over a million events of about 1 KB, published and acked by 64 writers");
  await inDirectory(async (dir) => {
    const bus = await openFileBus({ dir });
    let next = 0;
    for (const until of [100_000, 500_000, 1_000_000]) {
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          for (let number = next++; number < until; number = next++) {
            const each = sized(number, 1_000);
            await bus.publish(each);
            await bus.ack(each.id);
          }
        }),
      );
      next = until;
      const { rss, heapUsed } = process.memoryUsage();
      const { segments, bytes } = bus.stats();
      say(
        `${String(until).padStart(9)} events: resident ${mb(rss)}, heap ${mb(heapUsed)}; log ${mb(bytes)} in ${segments} segments`,
      );
    }
    await bus.close();
  });
}

const parts: Record<string, () => Promise<void>> = {
  // First: what the others leave behind would count as its memory.
  memory: benchMemory,
  publish: benchPublish,
  open: benchOpen,
};

const [load = 0] = loadavg();
say(`${await describeMachine(root)}; load average ${load.toFixed(1)} before the start`);
const wanted = process.argv.slice(3);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
await rm(root, { recursive: true });
