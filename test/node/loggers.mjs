// Logs with winston and pino through their OpenTelemetry transports, as programs do that have these loggers already.
//
//   npm ci
//   node loggers.mjs <winston|pino> <endpoint of OTLP over HTTP> <service name>
//
// Each logs the same lines: one of each of its levels, and an error.
import { logs } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { OpenTelemetryTransportV3 } from '@opentelemetry/winston-transport';
import pino from 'pino';
import winston from 'winston';

const [library, endpoint, service] = process.argv.slice(2);
if (!['winston', 'pino'].includes(library) || !endpoint || !service) {
  console.error('usage: node loggers.mjs <winston|pino> <endpoint> <service name>');
  process.exit(2);
}

if (library === 'winston') {
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${endpoint}/v1/logs` }) })],
  });
  logs.setGlobalLoggerProvider(provider);
  const logger = winston.createLogger({ level: 'silly', transports: [new OpenTelemetryTransportV3()] });
  for (const level of ['error', 'warn', 'info', 'debug', 'silly']) logger.log(level, `a line of ${level}`, { order: { id: 4711 } });
  logger.error('failed', new Error('card declined'));
  await new Promise(done => logger.on('finish', done).end());
  await provider.shutdown();
} else {
  const transport = pino.transport({
    target: 'pino-opentelemetry-transport',
    options: {
      resourceAttributes: { 'service.name': service },
      logRecordProcessorOptions: [{ recordProcessorType: 'batch', exporterOptions: { protocol: 'http', httpExporterOptions: { url: `${endpoint}/v1/logs` } } }],
    },
  });
  const logger = pino({ level: 'trace' }, transport);
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace']) logger[level]({ order: { id: 4711 } }, `a line of ${level}`);
  logger.error(new Error('card declined'), 'failed');
  const alive = setInterval(() => {}, 1000); // the transport's thread keeps no process alive
  transport.on('close', () => clearInterval(alive)).end();
}
