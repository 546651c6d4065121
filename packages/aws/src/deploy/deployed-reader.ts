import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { awsNames } from "../plan/aws-names.ts";
import { readDeployed } from "./read-deployed.ts";

/** Reads a stage in AWS, with the credentials and the endpoint of the environment. */
export function deployedReader(where: {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  /** The stage is to be removed, whatever it holds. */
  readonly isRemoval?: boolean;
}) {
  const { stage, account, region, isRemoval = false } = where;
  const forcePathStyle = process.env.AWS_ENDPOINT_URL !== undefined;
  return (wanted: ReadonlySet<string>, awaited: readonly string[]) =>
    readDeployed(
      {
        cloudformation: new CloudFormationClient({ region }),
        ssm: new SSMClient({ region }),
        s3: new S3Client({ region, forcePathStyle }),
        sqs: new SQSClient({ region }),
        dynamodb: new DynamoDBClient({ region }),
        stage,
        isRemoval,
        bucket: awsNames(stage).bucket(account, region),
      },
      wanted,
      awaited,
    );
}
