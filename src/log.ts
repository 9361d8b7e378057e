import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on stderr, one record an event. Standard output is for results. */
export function jsonLog(level = 'info'): Logger {
    return pino(
        {
            level,
            base: null,
            timestamp: () => `,"time":"${new Date().toISOString()}"`,
            formatters: { level: (label) => ({ level: label }) },
            // A config may hold an endpoint with credentials in it; nothing else ever sees a secret.
            redact: ['endpoint', '*.secretAccessKey', '*.accessKeyId', '*.sessionToken'],
        },
        pino.destination({ fd: 2, sync: true }),
    );
}
