/** Whether the name is an IANA time zone that this machine knows. */
export function isZone(name: string): boolean {
    try {
        new Intl.DateTimeFormat('en', { timeZone: name });
        return /^[A-Za-z]/.test(name);
    } catch {
        return false;
    }
}
