import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandPath, exampleOf, leafCommands } from "../examples.ts";
import { orgloopProgram } from "../program.ts";
import { completionScript, SHELLS } from "./completion-script.ts";
import { manPage } from "./man-page.ts";

const program = orgloopProgram();
const leaves = leafCommands(program);

test("the help of each command names the global options and one example that it takes", () => {
  for (const command of leaves) {
    const said: string[] = [];
    command.configureOutput({ writeOut: (text) => void said.push(text) });
    command.outputHelp();
    expect(said.join("")).toContain("--workspace <name>");
    const example = exampleOf(command);
    expect(said.join("")).toContain(`Example: ${example}`);
    expect(example?.startsWith(`orgloop ${commandPath(command)}`)).toBe(true);
    const [words = ""] = example?.split(/ [<>] /) ?? [];
    const rest = words.split(" ").slice(1 + commandPath(command).split(" ").length);
    const known = orgloopProgram();
    const same = leafCommands(known).find((one) => commandPath(one) === commandPath(command));
    for (const option of known.options) same?.addOption(option);
    expect(same?.parseOptions(rest).unknown, example).toEqual([]);
  }
});

test("what an option may be is told, and a wrong one refused with the choices", () => {
  const list = leaves.find((command) => commandPath(command) === "dead-letters list");
  expect(list?.helpInformation()).toMatch(/--reason[\s\S]*choices:[\s\S]*"exhausted"/);
});

/** What bash offers behind these words. */
function offered(...words: readonly string[]): string[] {
  const script = `${completionScript(program, "bash")}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orgloop; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["-c", script, "bash", "orgloop", ...words]);
  return out.toString().trim().split("\n");
}

test("bash completes commands, those below them, options and choices", () => {
  expect(offered("dead")).toEqual(["dead-letters"]);
  expect(offered("dead-letters", "")).toEqual(
    expect.arrayContaining(["list", "show", "replay", "purge", "--json"]),
  );
  expect(offered("-v", "dead-letters", "list", "--rou")).toEqual(["--route"]);
  expect(offered("dead-letters", "list", "--reason", "ex")).toEqual(["exhausted", "expired"]);
});

test("each shell gets every command", () => {
  for (const shell of SHELLS) {
    const script = completionScript(program, shell);
    for (const command of leaves) expect(script).toContain(commandPath(command));
  }
  expect(completionScript(program, "fish")).not.toMatch(/undefined/);
});

test("the manual page has every command, and nothing that roff would take for its own", () => {
  const page = manPage(program, "1.2.3");
  for (const command of leaves) {
    expect(page).toContain(`orgloop ${commandPath(command)}`.replaceAll("-", "\\-"));
  }
  const requests = [...page.matchAll(/^[.'](\S*)/gm)].map(([, name]) => name);
  expect(new Set(requests)).toEqual(new Set(["TH", "SH", "SS", "TP", "B", "PP", "nf", "fi"]));
});
