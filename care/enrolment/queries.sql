-- name: gateway_of_home
SELECT id FROM gateway WHERE home_id = %(home)s AND key = %(key)s AND ended_at IS NULL;

-- name: known_gateway
SELECT id FROM gateway WHERE key = %(key)s;

-- name: add_code
INSERT INTO enrolment_code (code_hash, home_id, gateway_key, person_id, created_at, expires_at)
VALUES (%(hash)s, %(home)s, %(gateway)s, %(person)s, %(now)s, %(expires)s);

-- name: use_code
-- Of two who come with the same code at once, the second finds it used.
UPDATE enrolment_code SET used_at = %(now)s
WHERE code_hash = %(hash)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING home_id, gateway_key;

-- name: put_credential
INSERT INTO gateway (key, home_id, password_hash, registered_at)
VALUES (%(key)s, %(home)s, %(password_hash)s, %(now)s)
ON CONFLICT (key) DO UPDATE SET password_hash = excluded.password_hash
    WHERE gateway.home_id = excluded.home_id AND gateway.ended_at IS NULL;

-- name: put_own_device
-- The gateway about itself is a device like others.
INSERT INTO device (gateway_id, address, home_id, kind, mains, registered_at)
SELECT id, 'gateway', home_id, 'gateway', true, %(now)s FROM gateway WHERE key = %(key)s AND home_id = %(home)s
ON CONFLICT (gateway_id, address) DO NOTHING;
