import type { Command } from "../command.ts";
import { walDirectory, walProblemLine } from "../wal-directory.ts";

/**
 * `orgloop wal verify`: exit status 1 where something is damaged that a start does not mend by itself. A torn end is none: it was
 * never acknowledged.
 */
export const walVerify: Command = async (context) => {
  const { dir } = await walDirectory(context);
  const { verifyWal } = await import("@orgloop/bus/file");
  const report = await verifyWal(dir);
  const sound = report.problems.every(({ kind }) => kind === "torn");
  const { segments, bytes, lines, problems, kept } = report;
  context.output.result(
    { ok: sound, ...report },
    [
      ...problems.map(walProblemLine),
      ...kept.map(
        (name) =>
          `${name}: cut off or taken out before, no part of the log; delete it when nobody wants it`,
      ),
      `${lines} lines, ${bytes} bytes in ${segments} segments of ${dir}: ${sound ? "sound" : "damaged"}`,
      ...(sound ? [] : ["`orgloop wal repair` shows what it would do"]),
    ].join("\n"),
  );
  return sound ? 0 : 1;
};
