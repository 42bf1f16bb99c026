// The other way to Expost, for a page whose own policy cut it off from the window that opened it. A token stands in its address,
// behind the `#`; it is traded here, once, for a grant that only this closure holds and that asks for the past alone.
import { PATIENCE_MS, Refusal, SILENCE, type Ask } from "./channel";

const refused = (error: unknown): Refusal =>
  error instanceof Refusal
    ? error
    : (error as Error)?.name === "TimeoutError"
      ? SILENCE
      : new Refusal("Expost cannot be reached from this page.", "Its Content-Security-Policy has to allow Expost's address in connect-src.");

const asker =
  (origin: string) =>
  async (question: object): Promise<any> => {
    try {
      // A string is sent as text/plain, which needs no leave of the server first; no cookie goes along.
      const response = await fetch(new URL("/definer.json", origin), {
        method: "POST",
        body: JSON.stringify(question),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const answer = await response.json();
      if (!response.ok) throw new Refusal(answer.error.message, answer.error.hint);
      return answer;
    } catch (error) {
      throw refused(error);
    }
  };

export const trade = async (token: string, origin: string, key = ""): Promise<{ ask: Ask; site: string }> => {
  const send = asker(origin);
  const { grant, site } = await send({ ask: "open", token, key });
  return { ask: ((ask: string, given: object) => send({ ask, grant, ...given })) as Ask, site };
};
