export async function handler(event) {
  const name = event.queryStringParameters?.["name"] ?? "world";
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hello: name }),
  };
}
