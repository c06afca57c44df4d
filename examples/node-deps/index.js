/** Two packages, one CommonJS and one ES module: both are bundled, and installed as package-lock.json says. */
import ms from "ms";
import { nanoid } from "nanoid";

export default {
  fetch(request) {
    const text = new URL(request.url).searchParams.get("time") ?? "2 days";
    return Response.json({ time: text, milliseconds: ms(text), id: nanoid() });
  },
};
