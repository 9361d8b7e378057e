import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { RunError } from '../errors/index.ts';
import type { Known } from './guard.ts';

/** How long an answer that was begun may take once the application is to end. */
const GRACE_MS = 10_000;

interface Place {
    readonly host: string;
    /** 0: any that is free. */
    readonly port: number;
}

/**
 * Answers requests until it is told to end; those that were begun are answered first.
 * @param started is told on which port it listens.
 * @throws RunError ADDRESS_UNUSABLE
 */
export async function listen(
    app: Hono<Known>,
    place: Place,
    until: AbortSignal,
    started: (port: number) => void,
): Promise<void> {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    await opened(server, place);
    started((server.address() as AddressInfo).port);
    await new Promise<void>((resolve) => {
        if (until.aborted) resolve();
        else until.addEventListener('abort', () => resolve(), { once: true });
    });
    await closed(server);
}

function opened(server: Server, { host, port }: Place): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
            const detail = error.code ?? error.message;
            reject(new RunError('ADDRESS_UNUSABLE', { host, port, detail }, error));
        });
        server.listen(port, host, () => resolve());
    });
}

async function closed(server: Server): Promise<void> {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await ended;
    clearTimeout(late);
}
