locals {
  has_nodes = var.cluster == null ? 0 : 1
}

data "aws_iam_policy_document" "machines" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# Of the machines, not of the pods: those have their own (roles.tf), and reach no metadata service.
resource "aws_iam_role" "machines" {
  count = local.has_nodes

  name               = "${var.name}-nodes"
  assume_role_policy = data.aws_iam_policy_document.machines.json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "machines" {
  for_each = local.has_nodes == 0 ? toset([]) : toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKS_CNI_Policy",
  ])

  role       = aws_iam_role.machines[0].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_launch_template" "machines" {
  for_each = local.has_nodes == 0 ? {} : { gpu = var.gpu_nodes.disk_gb, data = var.data_nodes.disk_gb }

  name = "${var.name}-${each.key}"
  tags = var.tags

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value
      throughput            = 250
      encrypted             = true
      delete_on_termination = true
    }
  }

  # One hop: pods do not reach it.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
  }
}

resource "aws_eks_node_group" "gpu" {
  count      = local.has_nodes
  depends_on = [aws_iam_role_policy_attachment.machines]

  cluster_name    = var.cluster.name
  node_group_name = "${var.name}-gpu-spot"
  node_role_arn   = aws_iam_role.machines[0].arn
  subnet_ids      = var.cluster.subnet_ids
  capacity_type   = "SPOT"
  ami_type        = var.gpu_nodes.ami_type
  instance_types  = var.gpu_nodes.instance_types
  # Cluster autoscaler, or Karpenter beside it, sets the size: see lifecycle.
  labels = { "tempeh-flow/work" = "gpu", "tempeh-flow/capacity" = "spot" }
  tags   = var.tags

  launch_template {
    id      = aws_launch_template.machines["gpu"].id
    version = aws_launch_template.machines["gpu"].latest_version
  }

  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = var.gpu_nodes.max
  }

  taint {
    key    = "nvidia.com/gpu"
    value  = "present"
    effect = "NO_SCHEDULE"
  }

  taint {
    key    = "spot"
    value  = "true"
    effect = "NO_SCHEDULE"
  }

  # A new template replaces machines one by one; what trains there saves and goes on elsewhere.
  update_config {
    max_unavailable = 1
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }
}

resource "aws_eks_node_group" "data" {
  count      = local.has_nodes
  depends_on = [aws_iam_role_policy_attachment.machines]

  cluster_name    = var.cluster.name
  node_group_name = "${var.name}-data"
  node_role_arn   = aws_iam_role.machines[0].arn
  # A data worker's volume lies in one zone: its machines, too.
  subnet_ids     = slice(var.cluster.subnet_ids, 0, 1)
  capacity_type  = "ON_DEMAND"
  ami_type       = "AL2023_x86_64_STANDARD"
  instance_types = var.data_nodes.instance_types
  labels         = { "tempeh-flow/work" = "data" }
  tags           = var.tags

  launch_template {
    id      = aws_launch_template.machines["data"].id
    version = aws_launch_template.machines["data"].latest_version
  }

  scaling_config {
    min_size     = var.data_nodes.count
    desired_size = var.data_nodes.count
    max_size     = var.data_nodes.count + 1
  }

  update_config {
    max_unavailable = 1
  }
}
