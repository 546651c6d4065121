import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import type { SettlingEventBus } from "@orgloop/sdk";
import { busSuite, type CrashFileSystem, crashFileSystem } from "@orgloop/testkit";

const dirs = new WeakMap<SettlingEventBus, string>();

async function openIn(dir: string): Promise<SettlingEventBus> {
  const bus = await openFileBus({ dir, rotate: { maxBytes: 2_000 } });
  dirs.set(bus, dir);
  return bus;
}

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

/**
 * A killed process: the next one finds the files as they are. The copy is needed only because this
 * process still has the lock.
 */
async function killed(bus: SettlingEventBus): Promise<SettlingEventBus> {
  const dir = await directory();
  await cp(dirs.get(bus) as string, dir, { recursive: true });
  await bus.close();
  return openIn(dir);
}

busSuite({ name: "file", open: async () => openIn(await directory()), crash: killed });

let disk: CrashFileSystem;

async function openOnDisk(next: CrashFileSystem): Promise<SettlingEventBus> {
  disk = next;
  const { fileSystem, lock } = disk;
  return openFileBus({ dir: "/wal", rotate: { maxBytes: 2_000 }, fileSystem, lock });
}

busSuite({
  name: "file, power cut",
  open: () => openOnDisk(crashFileSystem()),
  crash: () => openOnDisk(disk.crash(Math.random)),
});
