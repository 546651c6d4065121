import { sha256 } from "@orgloop/aws/plan";
import { dashboardBody } from "./dashboard.ts";

/** Pixels of one column and one row of CloudWatch's grid. */
const COLUMN = 46;
const ROW = 34;
const GAP = 6;
const COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"];
const POINTS = 48;

interface Series {
  readonly label: string;
  /** As CloudWatch knows it. */
  readonly name: string;
}

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly markdown?: string;
    readonly title?: string;
    readonly alarms?: readonly string[];
    readonly query?: string;
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

/**
 * The dashboard of `examples/acme` as CloudWatch lays it out: its widgets, titles, legends and
 * metric names are those of the deployed JSON; the curves are samples, always the same.
 */
export function dashboardSvg(): string {
  const body = dashboardBody({ stage: "production", project: "acme", region: "eu-west-1" });
  const widgets = body.widgets as readonly Widget[];
  const height = Math.max(...widgets.map(({ y, height: rows }) => y + rows)) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${24 * COLUMN} ${height}" font-family="Helvetica, Arial, sans-serif">
<rect width="100%" height="100%" fill="#f2f3f3"/>
${widgets.map(drawWidget).join("\n")}
</svg>
`;
}

function drawWidget({ type, x, y, width, height, properties }: Widget): string {
  const box = {
    left: x * COLUMN + GAP / 2,
    top: y * ROW + GAP / 2,
    width: width * COLUMN - GAP,
    height: height * ROW - GAP,
  };
  const frame = `<rect x="${box.left}" y="${box.top}" width="${box.width}" height="${box.height}" rx="4" fill="#fff" stroke="#d5dbdb"/>`;
  const lines = linesOf(type, properties);
  if (lines !== null) {
    const [head = "", ...rest] = lines;
    const first = label(box.left + 10, box.top + 20, head, 14, "#16191f", "bold");
    const others = rest.map((text, at) =>
      label(box.left + 10, box.top + 40 + 18 * at, text, 10, "#16191f"),
    );
    return [frame, first, ...others].join("");
  }
  const series = seriesOf(properties.metrics ?? []);
  const legendTop = box.top + box.height - 13 * series.length - 4;
  const plot = {
    left: box.left + 10,
    top: box.top + 30,
    width: box.width - 20,
    height: legendTop - box.top - 42,
  };
  const grid = [0, 0.5, 1].map((part) => {
    const at = plot.top + part * plot.height;
    return `<line x1="${plot.left}" x2="${plot.left + plot.width}" y1="${at}" y2="${at}" stroke="#eaeded"/>`;
  });
  const drawn = series.map((one, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? "";
    const at = legendTop + 13 * index + 6;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${curve(one.name, plot)}"/>`,
      `<rect x="${plot.left}" y="${at - 7}" width="8" height="8" fill="${colour}"/>`,
      label(plot.left + 13, at, one.label, 10, "#16191f"),
      `<text x="${plot.left + plot.width}" y="${at}" font-size="${nameSize(one, plot.width)}" fill="#879596" text-anchor="end">${escaped(one.name)}</text>`,
    ].join("");
  });
  const title = label(box.left + 10, box.top + 19, properties.title ?? "", 12, "#16191f", "bold");
  return [frame, title, ...grid, ...drawn].join("");
}

/** What a widget without curves says. */
function linesOf(type: string, { markdown, title, alarms, query }: Widget["properties"]) {
  if (type === "text") return (markdown ?? "").split("\n").map((line) => line.replace(/^#+ /, ""));
  if (type === "alarm") {
    const names = (alarms ?? []).map((arn) => arn.slice(arn.lastIndexOf(":") + 1));
    return [title ?? "", names.map((name) => `OK ${name}`).join("    ")];
  }
  return type === "log" ? [title ?? "", ...(query ?? "").split(" | ")] : null;
}

/** Small enough for the name to stand beside its label. */
function nameSize({ label, name }: Series, width: number): number {
  const room = width - 25 - 5.8 * label.length;
  return Math.min(8, Math.round((17 * room) / name.length) / 10);
}

/** The series that a widget shows: what only feeds an expression is invisible. */
function seriesOf(metrics: readonly (readonly unknown[])[]): Series[] {
  return metrics.flatMap((metric) => {
    const options = Object(metric.at(-1)) as Record<string, unknown>;
    if (options.visible === false) return [];
    const found = /MetricName="(\w+)" ([^']+)'/.exec(String(options.expression ?? ""));
    const name = found
      ? `${found[1]} of ${found[2]?.replace(" NOT dlq", "").replaceAll(" ", "-")}-*`
      : typeof metric[0] === "string"
        ? `${metric[0]} ${metric[1]}${options.stat ? ` ${options.stat}` : ""}`
        : "metric math";
    return [{ label: String(options.label ?? name), name }];
  });
}

/** A day that begins quietly and gets busy, another for every name. */
function curve(name: string, plot: { left: number; top: number; width: number; height: number }) {
  const seed = sha256(name);
  const digit = (at: number) => Number.parseInt(seed[at % seed.length] ?? "0", 16) / 15;
  const level = 0.25 + 0.5 * digit(0);
  return Array.from({ length: POINTS }, (_, at) => {
    const day = 0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 8 * digit(1))) / POINTS);
    const value = Math.min(0.97, level * (0.3 + 0.8 * day) + 0.12 * digit(at + 2));
    const x = plot.left + (at / (POINTS - 1)) * plot.width;
    const y = plot.top + (1 - value) * plot.height;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  }).join(" ");
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

function label(x: number, y: number, text: string, size: number, fill: string, weight = "normal") {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(text)}</text>`;
}
