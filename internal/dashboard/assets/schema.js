// JSON Schema of an event type, from the fields that its events were seen to have.

const types = { string: 'string', int: 'integer', double: 'number', bool: 'boolean', bytes: 'string', list: 'array', map: 'object', null: 'null' };

/** The schema of an event as the API sends it. Fields that all events had are required. */
export function schemaOf(type) {
  const data = object();
  for (const field of type.fields ?? []) put(data, field.path.split('.'), field);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: type.event_type,
    description: `Seen in ${type.sampled} of ${type.count} events.`,
    type: 'object',
    required: ['event_type', 'source', 'data'],
    properties: { event_type: { const: type.event_type }, source: { type: 'string' }, data },
  };
}

const object = () => ({ type: 'object', properties: {} });

function put(schema, [key, ...rest], field) {
  if (field.share === 1) schema.required = [...new Set([...(schema.required ?? []), key])];
  if (!rest.length) {
    define(schema.properties, key, leaf(field));
    return;
  }
  let inner = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
  if (!inner?.properties) {
    inner = object();
    define(schema.properties, key, inner);
  }
  put(inner, rest, field);
}

// A key such as __proto__ is a name like any other.
const define = (properties, key, value) => Object.defineProperty(properties, key, { value, enumerable: true, configurable: true, writable: true });

function leaf(field) {
  const names = [...new Set(Object.keys(field.kinds).map((kind) => types[kind]))].sort();
  // An integer is a number too.
  const kinds = names.includes('number') ? names.filter((name) => name !== 'integer') : names;
  const schema = { type: kinds.length === 1 ? kinds[0] : kinds };
  if (field.kinds.bytes && kinds.length === 1) schema.contentEncoding = 'base64';
  return schema;
}
