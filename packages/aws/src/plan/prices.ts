/** One price of AWS. */
export interface Price {
  /** US dollars. */
  readonly usd: number;
  readonly unit: string;
  readonly source: string;
}

/**
 * Where and when the prices were read: on demand, without the free tier, discounts and taxes. Other
 * regions differ by up to a fifth.
 */
export const PRICES_READ = { region: "us-east-1", date: "2026-11-23" } as const;

const price = (usd: number, unit: string, page: string): Price => ({
  usd,
  unit,
  source: `https://aws.amazon.com/${page}/pricing/`,
});

export const PRICES = {
  lambda_request: price(0.2 / 1e6, "request", "lambda"),
  /** arm64. */
  lambda_gb_second: price(0.0000133334, "GB-second", "lambda"),
  /** Of up to 64 KB; a receive that finds nothing is one too. */
  sqs_fifo_request: price(0.5 / 1e6, "request", "sqs"),
  /** Of a standard queue, of up to 64 KB. */
  sqs_request: price(0.4 / 1e6, "request", "sqs"),
  scheduler_invocation: price(1 / 1e6, "invocation", "eventbridge"),
  dynamodb_write: price(0.625 / 1e6, "write of 1 KB", "dynamodb"),
  dynamodb_read: price(0.125 / 1e6, "read of 4 KB", "dynamodb"),
  s3_put: price(0.005 / 1e3, "request", "s3"),
  s3_gb_month: price(0.023, "GB-month", "s3"),
  logs_gb: price(0.5, "GB taken in", "cloudwatch"),
  logs_gb_month: price(0.03, "GB-month", "cloudwatch"),
  metric_month: price(0.3, "metric-month", "cloudwatch"),
  alarm_month: price(0.1, "alarm-month", "cloudwatch"),
  composite_alarm_month: price(0.5, "composite alarm-month", "cloudwatch"),
  dashboard_month: price(3, "dashboard-month", "cloudwatch"),
  api_request: price(1 / 1e6, "request", "api-gateway"),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;
