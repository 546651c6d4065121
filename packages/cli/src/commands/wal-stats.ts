import type { Command } from "../command.ts";
import { walDirectory } from "../process/wal-directory.ts";

/** `orgloop wal stats`. */
export const walStats: Command = async (context) => {
  const { dir } = await walDirectory(context);
  const bus = await import("@orgloop/bus/file");
  const { segments, bytes, events, unsettled, oldestAtMs } = await bus.walStats(dir);
  const oldest_at = oldestAtMs === null ? null : new Date(oldestAtMs).toISOString();
  context.output.result(
    { dir, segments, bytes, events, unsettled, oldest_at },
    [
      dir,
      `${segments} segments, ${bytes} bytes`,
      `${events} events, ${unsettled} unsettled${oldest_at === null ? "" : `, the oldest of ${oldest_at}`}`,
    ].join("\n"),
  );
  return 0;
};
