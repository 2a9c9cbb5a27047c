output "function_arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}

output "function_name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "role_name" {
  description = "The name of the function's role."
  value       = aws_iam_role.this.name
}

output "url" {
  description = "The function URL of a webhook function without an API; null otherwise."
  value       = try(aws_lambda_function_url.this[0].function_url, null)
}
