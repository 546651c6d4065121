/** Stands for the SDK's cache of discovered endpoints in functions: DynamoDB has one endpoint. */
export default class extends Map<string, unknown> {
  constructor(_capacity: number) {
    super();
  }
}
