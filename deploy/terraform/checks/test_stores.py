"""Stores: engines by their real names, TLS, encryption, backups, and nothing evicted."""

from conftest import Plan


def test_redis_is_made_of_nodes_without_cluster_mode(plan: Plan) -> None:
    redis = plan.one("aws_elasticache_replication_group")
    assert redis["engine"] in {"valkey", "redis"}
    assert redis["cluster_mode"] == "disabled"
    assert not redis.get("num_node_groups")
    assert "aws_elasticache_serverless_cache" not in {found.type for found in plan.resources}


def test_redis_evicts_nothing(plan: Plan) -> None:
    group = plan.one("aws_elasticache_parameter_group")
    assert {"name": "maxmemory-policy", "value": "noeviction"} in group["parameter"]
    engine = plan.one("aws_elasticache_replication_group")["engine"]
    assert group["family"].startswith(engine)
    assert group["family"] in {"valkey7", "valkey8", "redis7"}


def test_redis_speaks_nothing_but_tls_and_asks_for_a_token(plan: Plan) -> None:
    redis = plan.one("aws_elasticache_replication_group")
    assert redis["transit_encryption_enabled"] is True
    assert redis["transit_encryption_mode"] == "required"
    assert str(redis["at_rest_encryption_enabled"]).lower() == "true"  # the provider keeps a text
    assert redis["auth_token_wo_version"] >= 1
    assert redis["auth_token_update_strategy"] in {"SET", "ROTATE"}
    assert redis.get("auth_token") is None, "this one would lie in the state"


def test_redis_makes_snapshots(plan: Plan) -> None:
    assert plan.one("aws_elasticache_replication_group")["snapshot_retention_limit"] >= 1


def test_redis_survives_a_zone_in_production(production: Plan) -> None:
    redis = production.one("aws_elasticache_replication_group")
    assert redis["num_cache_clusters"] >= 2
    assert redis["automatic_failover_enabled"] is True
    assert redis["multi_az_enabled"] is True


def test_postgres_is_aurora_16_serverless_v2(plan: Plan) -> None:
    cluster = plan.one("aws_rds_cluster")
    assert cluster["engine"] == "aurora-postgresql"
    assert cluster["engine_mode"] == "provisioned"
    assert cluster["engine_version"].startswith("16.")
    for instance in plan.of("aws_rds_cluster_instance"):
        assert instance.values["instance_class"] == "db.serverless"
        assert instance.values["publicly_accessible"] is False
        assert instance.values["ca_cert_identifier"] in {
            "rds-ca-rsa2048-g1",
            "rds-ca-rsa4096-g1",
            "rds-ca-ecc384-g1",
        }


def test_postgres_refuses_connections_without_tls(plan: Plan) -> None:
    group = plan.one("aws_rds_cluster_parameter_group")
    assert group["family"] == "aurora-postgresql16"
    settings = {row["name"]: row["value"] for row in group["parameter"]}
    assert settings["rds.force_ssl"] == "1"


def test_postgres_is_encrypted_backed_up_and_not_deleted_by_mistake(plan: Plan) -> None:
    cluster = plan.one("aws_rds_cluster")
    assert cluster["storage_encrypted"] is True
    assert 7 <= cluster["backup_retention_period"] <= 35
    assert cluster["deletion_protection"] is True
    assert cluster["skip_final_snapshot"] is False
    assert cluster["master_password_wo_version"] >= 1
    assert cluster.get("master_password") is None, "this one would lie in the state"
    # RDS changes its own every seven days, under tasks whose environment is fixed.
    assert not cluster.get("manage_master_user_password")


def test_a_small_aurora_can_pause(small: Plan) -> None:
    [scaling] = small.one("aws_rds_cluster")["serverlessv2_scaling_configuration"]
    assert scaling["min_capacity"] == 0
    assert 300 <= scaling["seconds_until_auto_pause"] <= 86400


def test_postgres_survives_a_zone_in_production(production: Plan) -> None:
    assert len(production.of("aws_rds_cluster_instance")) >= 2
    [scaling] = production.one("aws_rds_cluster")["serverlessv2_scaling_configuration"]
    assert scaling["min_capacity"] > 0, "a pause of the database is no option here"


def test_buckets_are_private_versioned_and_encrypted(plan: Plan) -> None:
    buckets = len(plan.of("aws_s3_bucket"))
    blocks = plan.of("aws_s3_bucket_public_access_block")
    assert len(blocks) == buckets
    for block in blocks:
        switches = (
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        )
        assert all(block.values[switch] is True for switch in switches), block.address
    assert len(plan.of("aws_s3_bucket_server_side_encryption_configuration")) == buckets
    for versioning in plan.of("aws_s3_bucket_versioning"):
        assert versioning.values["versioning_configuration"][0]["status"] == "Enabled"
    versioned = {found.address for found in plan.of("aws_s3_bucket_versioning")}
    for kept in ("uploads", "backups"):
        assert f'module.data.aws_s3_bucket_versioning.main["{kept}"]' in versioned


def test_images_are_scanned_and_their_tags_keep_their_meaning(plan: Plan) -> None:
    for repository in plan.of("aws_ecr_repository"):
        assert repository.values["image_tag_mutability"] == "IMMUTABLE"
        assert repository.values["image_scanning_configuration"] == [{"scan_on_push": True}]
