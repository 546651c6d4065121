/** A resource of a template, with every reference written out as AWS would resolve it. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: templates have the forms of a hundred services.
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: string | readonly string[];
}

type Template = Readonly<Record<string, Resource>>;

/** What names a resource of a type, and the ARN that it has then. */
const NAMED: Readonly<Record<string, readonly [property: string, arn: string]>> = {
  "AWS::SQS::Queue": ["QueueName", "sqs:REGION:ACCOUNT:NAME"],
  "AWS::Lambda::Function": ["FunctionName", "lambda:REGION:ACCOUNT:function:NAME"],
  "AWS::S3::Bucket": ["BucketName", "s3:::NAME"],
};

/** Replaces references and what is computed of them in the resources of one template. */
export function resolved(
  resources: Template,
  { account, region }: { readonly account: string; readonly region: string },
): Template {
  const pseudo: Readonly<Record<string, string>> = {
    "AWS::Partition": "aws",
    "AWS::AccountId": account,
    "AWS::Region": region,
    "AWS::URLSuffix": "amazonaws.com",
  };
  const attribute = (id: string, name: string): string => {
    const resource = resources[id];
    if (resource?.Type === "AWS::SSM::Parameter" && name === "Value") {
      return String(visit(resource.Properties.Value));
    }
    const [property, form] = NAMED[resource?.Type ?? ""] ?? [];
    if (resource === undefined || property === undefined || form === undefined || name !== "Arn") {
      return `${id}.${name}`;
    }
    const named = String(visit(resource.Properties[property]));
    return `arn:aws:${form.replace("REGION", region).replace("ACCOUNT", account).replace("NAME", named)}`;
  };
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    const [[key, inner] = ["", undefined], ...more] = Object.entries(value);
    if (more.length === 0) {
      if (key === "Ref") return pseudo[String(inner)] ?? String(inner);
      if (key === "Fn::GetAtt" && Array.isArray(inner)) return attribute(inner[0], inner[1]);
      if (key === "Fn::Join" && Array.isArray(inner)) {
        return (visit(inner[1]) as unknown[]).join(inner[0]);
      }
      if (key === "Fn::Split" && Array.isArray(inner))
        return String(visit(inner[1])).split(inner[0]);
      if (key === "Fn::Select" && Array.isArray(inner)) {
        return (visit(inner[1]) as unknown[])[Number(inner[0])];
      }
      if (key === "Fn::Sub") {
        return String(inner).replace(/\$\{([^}]+)\}/g, (whole, name) => pseudo[name] ?? whole);
      }
    }
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, visit(one)]));
  };
  return visit(resources) as Template;
}
