module "policies" {
  source      = "./policies"
  bucket      = aws_s3_bucket.objects.bucket
  prefix      = var.prefix
  kms_key_arn = aws_kms_key.objects.arn
  region      = aws_s3_bucket.objects.region
}

# For people and readers these are attached to whatever they are known by; workers have roles of their own.
resource "aws_iam_policy" "role" {
  for_each = toset(["data-worker", "gpu-worker", "person", "reader"])

  name        = "${var.name}-${each.key}"
  description = "What a ${each.key} of ${var.name} may do in ${var.bucket}/${var.prefix}"
  policy      = module.policies.documents[each.key]
  tags        = var.tags
}

locals {
  service_accounts = var.cluster == null ? {} : {
    "data-worker" = var.cluster.data_service_account
    "gpu-worker"  = var.cluster.gpu_service_account
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = local.service_accounts

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.cluster.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.cluster.oidc_issuer}:sub"
      values   = ["system:serviceaccount:${var.cluster.namespace}:${each.value}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.cluster.oidc_issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "worker" {
  for_each = local.service_accounts

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  # Credentials are renewed by themselves; shorter ones are of no use to a thief for long.
  max_session_duration = 3600
  tags                 = var.tags
}

resource "aws_iam_role_policy_attachment" "worker" {
  for_each = local.service_accounts

  role       = aws_iam_role.worker[each.key].name
  policy_arn = aws_iam_policy.role[each.key].arn
}
