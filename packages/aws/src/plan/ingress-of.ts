import type { AwsSpec, IngressKind } from "@orgloop/sdk";

/** Reserved: what anyone can call takes no more of the account than this. */
const RECEIVER_CONCURRENCY = 50;
/** Of a function, for each that may run at a time (AWS, Lambda quotas). */
const REQUESTS_A_SECOND = 10;

/** How webhooks come in. */
export interface Ingress {
  readonly kind: IngressKind;
  /** Requests at a time. */
  readonly concurrency: number;
  /** What is beyond it is answered 429. */
  readonly requestsPerSecond: number;
}

/** `aws.ingress` with its defaults. */
export function ingressOf(aws: Pick<AwsSpec, "ingress"> | undefined): Ingress {
  const { ingress = {} } = aws ?? {};
  const { kind = "function_url", concurrency = RECEIVER_CONCURRENCY } =
    typeof ingress === "string" ? { kind: ingress, concurrency: RECEIVER_CONCURRENCY } : ingress;
  return { kind, concurrency, requestsPerSecond: REQUESTS_A_SECOND * concurrency };
}

/** What the ingress takes, for people. */
export function ingressLimit(aws: Pick<AwsSpec, "ingress"> | undefined): string {
  const { concurrency, requestsPerSecond } = ingressOf(aws);
  return `webhooks: at most ${requestsPerSecond} requests a second (aws.ingress.concurrency ${concurrency}); what is beyond is answered 429`;
}
