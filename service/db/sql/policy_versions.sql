-- policy_versions: the next $3 versions of type $1 below $2, newest first.
SELECT version, kind, members, at, actor, reason
FROM policy_version WHERE entity_type = $1 AND version < $2
ORDER BY version DESC LIMIT $3
