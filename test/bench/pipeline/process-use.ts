import { readFile } from "node:fs/promises";

/** Of `sysconf(_SC_CLK_TCK)`: Linux counts a process's time in hundredths of a second. */
const TICK_US = 10_000;

export interface ProcessUse {
  /** Of all its threads, user and system, since it began. */
  readonly cpuUs: number;
  readonly residentMb: number;
}

/** What the process `pid` has used, from /proc (Linux). */
export async function processUse(pid: number): Promise<ProcessUse> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/status`, "utf8"),
  ]);
  // The name before ")" may hold spaces; the fields after it are numbered from 3 in proc(5).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US,
    residentMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
  };
}
