/** A Lambda handler that streams: the status and headers first, then the body piece by piece. */
export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
  const out = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 200,
    headers: { "content-type": "text/event-stream" },
  });
  const count = Number(event.queryStringParameters?.count ?? 3);
  for (let n = 1; n <= count; n++) {
    out.write(`data: ${n}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  out.end();
});
