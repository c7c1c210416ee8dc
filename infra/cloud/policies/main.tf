# The policies of infra/policies for a bucket, a prefix and a key. Needs no provider: `terraform test` runs here offline.

variable "bucket" {
  type = string
}

variable "prefix" {
  type = string
}

variable "kms_key_arn" {
  type = string
}

variable "region" {
  description = "Of the bucket: the key is used through S3 there alone."
  type        = string
}

locals {
  roles = ["data-worker", "gpu-worker", "person", "reader"]

  documents = {
    for role in local.roles : role => jsondecode(
      templatefile("${path.module}/../../policies/${role}.json", { bucket = var.bucket, prefix = var.prefix })
    )
  }

  # Who writes needs data keys, who reads has them decrypted; multipart uploads need both.
  key_statements = {
    for role in local.roles : role => {
      Sid      = "UseTheKeyThroughS3"
      Effect   = "Allow"
      Action   = role == "reader" ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.kms_key_arn]
      Condition = {
        StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" }
      }
    }
  }
}

output "documents" {
  description = "JSON by role."
  value = {
    for role in local.roles : role => jsonencode({
      Version   = local.documents[role].Version
      Statement = concat(local.documents[role].Statement, [local.key_statements[role]])
    })
  }
}
