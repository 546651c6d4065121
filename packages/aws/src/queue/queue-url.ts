/** The address of another queue of the same account and region. */
export function queueUrlBeside(queueUrl: string, name: string): string {
  return `${queueUrl.slice(0, queueUrl.lastIndexOf("/") + 1)}${name}`;
}

/**
 * The address of the queue of an ARN (`arn:aws:sqs:REGION:ACCOUNT:NAME`), beside one that is known.
 */
export function queueUrlOfArn(arn: string, known: string): string {
  return queueUrlBeside(known, arn.slice(arn.lastIndexOf(":") + 1));
}
