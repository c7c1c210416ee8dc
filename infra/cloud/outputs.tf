output "storage" {
  description = "What a run's file says (storage)."
  value = {
    kind       = "s3"
    bucket     = aws_s3_bucket.objects.bucket
    prefix     = var.prefix
    region     = aws_s3_bucket.objects.region
    encryption = { algorithm = "aws:kms", kmsKey = aws_kms_key.objects.arn, bucketKey = true }
  }
}

output "policies" {
  description = "By role: attach person and reader to whatever people are known by."
  value       = { for role, policy in aws_iam_policy.role : role => policy.arn }
}

output "chart_values" {
  description = "For `helm install --values`: terraform output -json chart_values > values-aws.json"
  value = var.cluster == null ? null : {
    objectStore = { region = aws_s3_bucket.objects.region }
    serviceAccounts = {
      data = {
        create      = true
        name        = var.cluster.data_service_account
        annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.worker["data-worker"].arn }
      }
      gpu = {
        create      = true
        name        = var.cluster.gpu_service_account
        annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.worker["gpu-worker"].arn }
      }
    }
    data = { nodeSelector = { "tempeh-flow/work" = "data" } }
    gpu = {
      graceSeconds = 110
      nodeSelector = { "tempeh-flow/work" = "gpu" }
      tolerations = [
        { key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" },
        { key = "spot", operator = "Exists", effect = "NoSchedule" },
      ]
    }
  }
}
