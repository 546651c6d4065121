import type { Command, Option } from "commander";
import { commandPath, exampleOf, leafCommands } from "../examples.ts";

const EXIT_STATUS = [
  ["0", "done"],
  ["1", "failed"],
  ["2", "the configuration is invalid; with plan --detailed-exitcode: there are changes"],
  ["3", "status: nothing runs"],
] as const;

/** The manual page `orgloop.1`, in man(7), made from the program's own commands. */
export function manPage(program: Command, version: string): string {
  return [
    `.TH ORGLOOP 1 "" "orgloop ${version}" "User Commands"`,
    ".SH NAME",
    `orgloop \\- ${text(program.description())}`,
    ".SH SYNOPSIS",
    ".B orgloop",
    "[options] command",
    ".SH OPTIONS",
    "They stand before or after the command.",
    ...program.options.flatMap(optionLines),
    ".SH COMMANDS",
    ...leafCommands(program).flatMap(commandLines),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(([code, meaning]) => [".TP", `.B ${code}`, text(meaning)]),
    ".SH ENVIRONMENT",
    ".TP",
    ".B ORGLOOP_HOME",
    "in place of ~/.orgloop",
    ".TP",
    ".B ORGLOOP_PORT",
    "the port of start, in place of 4800",
    "",
  ].join("\n");
}

function commandLines(command: Command): string[] {
  const example = exampleOf(command);
  return [
    `.SS "${text(`orgloop ${commandPath(command)} ${command.usage()}`)}"`,
    text(command.description()),
    ...command.options.flatMap(optionLines),
    ...(example === undefined ? [] : [".PP", ".nf", text(example), ".fi"]),
  ];
}

function optionLines({ flags, description, argChoices }: Option): string[] {
  const choices = argChoices ? ` (one of: ${argChoices.join(", ")})` : "";
  return [".TP", `.B "${text(flags)}"`, text(`${description}${choices}`)];
}

/** Nothing in it is a request or an escape of roff. */
const text = (plain: string): string =>
  plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replace(/^(?=[.'])/gm, "\\&");
