// Sends events with OpenTelemetry's SDK for Node, as a user's program would.
//
//   npm ci
//   node send.mjs <grpc|http/protobuf|http/json> <endpoint> <count> <service name>
//
// The endpoint is the base: http://localhost:4318, or http://localhost:4317 for gRPC. Each event has its place in the run
// as `sequence` (0 … count-1). It ends with 0 and the line "sent <count>" when every event was accepted, else with 1.
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as Grpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as HttpJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as HttpProtobuf } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

const exporters = {
  'grpc': endpoint => new Grpc({ url: endpoint }),
  'http/protobuf': endpoint => new HttpProtobuf({ url: `${endpoint}/v1/logs` }),
  'http/json': endpoint => new HttpJson({ url: `${endpoint}/v1/logs` }),
};

const categories = [
  ['system.disk', SeverityNumber.WARN, 'WARN', { disk: '/dev/sda1', used: 0.93 }],
  ['user.login', SeverityNumber.INFO, 'INFO', { user: { name: 'Ada', roles: ['admin', 'author'] } }],
  ['metric.latency', SeverityNumber.INFO, 'INFO', { milliseconds: 12.5, status: 200, ratio: NaN }],
  ['data.imported', SeverityNumber.INFO, 'INFO', { rows: 1234, digest: new Uint8Array([0, 127, 255]) }],
  ['alert.payment', SeverityNumber.ERROR, 'ERROR', { reason: 'declined', retried: true }],
];

const [protocol, endpoint, countText, service] = process.argv.slice(2);
const count = Number(countText);
if (!(protocol in exporters) || !endpoint || !Number.isInteger(count) || count < 1 || !service) {
  console.error('usage: node send.mjs <grpc|http/protobuf|http/json> <endpoint> <count> <service name>');
  process.exit(2);
}

// The processor tells nobody how an export ended, so the exporter is asked here.
let sent = 0;
const exporter = exporters[protocol](endpoint);
const send = exporter.export.bind(exporter);
exporter.export = (records, done) =>
  send(records, result => {
    if (result.code === 0) sent += records.length;
    else console.error(`export of ${records.length} events failed: ${result.error?.message}`);
    done(result);
  });

const provider = new LoggerProvider({
  resource: resourceFromAttributes({ 'service.name': service }),
  processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: count })],
});
const logger = provider.getLogger('node-sender', '1.0.0');
for (let sequence = 0; sequence < count; sequence++) {
  const [eventName, severityNumber, severityText, attributes] = categories[sequence % categories.length];
  logger.emit({ eventName, severityNumber, severityText, attributes: { ...attributes, sequence } });
}
await provider.shutdown().catch(error => console.error(String(error)));

console.log(`sent ${sent}`);
process.exit(sent === count ? 0 : 1);
