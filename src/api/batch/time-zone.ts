/** Whether the machine knows a time zone of that name. */
export function isTimeZone(name: string): boolean {
  if (!name.split("/").every((part) => /^(?![-.])[A-Za-z._0-9+-]{1,14}$/.test(part))) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
