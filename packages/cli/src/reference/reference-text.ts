import type { PluginReference, RoleReference, Setting } from "@orgloop/config";
import type { Output } from "../terminal/output.ts";
import { settingsKey, usageExample } from "./usage-example.ts";

type Styled = Output["style"];

/** What `connectors show` prints for people. */
export function referenceText(reference: PluginReference, style: Styled): string {
  const { name, kind, roles } = reference;
  const head = `${style("bold", name)}  ${kind}`;
  return [head, ...roles.flatMap((role) => ["", ...roleText(reference, role, style)])].join("\n");
}

function roleText(reference: PluginReference, role: RoleReference, style: Styled): string[] {
  const { title, description, settings } = role;
  const key = settingsKey(reference, role);
  const example = usageExample(reference, role).replace(/^/gm, "  ");
  return [
    style("bold", title),
    ...(description === null ? [] : wrapped(description, "")),
    "",
    ...settingsText(settings, key === null ? "Settings" : `Settings, in ${key}`, style),
    "Example:",
    example,
  ];
}

function settingsText(
  settings: readonly Setting[] | null,
  heading: string,
  style: Styled,
): string[] {
  if (settings === null) return ["Its package does not describe its settings.", ""];
  if (settings.length === 0) return ["It has no settings.", ""];
  return [`${heading}:`, "", ...settings.flatMap((setting) => settingText(setting, style))];
}

function settingText(setting: Setting, style: Styled): string[] {
  const { name, type, description } = setting;
  const facts = [type, ...factsOf(setting)].join(", ");
  return [
    `  ${style("bold", name)}  ${facts}`,
    ...(description === null ? [] : wrapped(description, "      ")),
    ...(setting.example === undefined ? [] : [`      Example: ${valueText(setting.example)}`]),
    "",
  ];
}

/** What is said of a setting beside its type. */
export function factsOf(setting: Setting): readonly string[] {
  return [
    ...(setting.required ? ["required"] : []),
    ...(setting.default === undefined ? [] : [`default ${valueText(setting.default)}`]),
    ...(setting.secret ? ["secret"] : []),
    ...(setting.deprecated ? ["ignored"] : []),
  ];
}

/** Text as it is, all else as JSON on one line. */
export function valueText(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

/** Columns of a line of description, its indentation aside. */
const WIDTH = 74;

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    const longer = last === "" ? word : `${last} ${word}`;
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}`);
}
