/** An AWS Lambda handler as it is: HTTP requests come as events of a Function URL, and direct invocations as they are. */
export const handler = async (event, context) => {
  const name = event.queryStringParameters?.name ?? event.name ?? "world";
  console.log("greeting %s", name);
  if (!event.requestContext) return { greeting: `Hello ${name}`, id: context.awsRequestId };
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    cookies: ["greeted=1"],
    body: JSON.stringify({ greeting: `Hello ${name}`, left: context.getRemainingTimeInMillis() > 0 }),
  };
};
