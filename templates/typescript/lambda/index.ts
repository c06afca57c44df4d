interface Event {
  readonly queryStringParameters?: Readonly<Record<string, string>>;
}

export async function handler(event: Event) {
  const name = event.queryStringParameters?.["name"] ?? "world";
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hello: name }),
  };
}
